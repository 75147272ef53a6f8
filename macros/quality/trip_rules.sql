{#- The only definition of the rules: conditions over a row of a windowed model. -#}
{% macro trip_rules(services=none) %}
    {%- set taxis = ['green', 'yellow'] -%}
    {%- set all = taxis + ['fhvhv'] -%}
    {%- set rules = [
        {
            'name': 'pickup_outside_month',
            'condition': "trunc(cast(pickup_at as date), 'month') <> file_month",
            'services': all,
            'description': "The pick-up is not in the month of the row's file."
        },
        {
            'name': 'dropoff_before_pickup',
            'condition': 'dropoff_at < pickup_at',
            'services': all,
            'description': 'The drop-off is earlier than the pick-up.'
        },
        {
            'name': 'longer_than_12_hours',
            'condition': 'dropoff_at > pickup_at + interval 12 hours',
            'services': all,
            'description': 'The trip took more than 12 hours.'
        },
        {
            'name': 'distance_negative',
            'condition': 'trip_distance < 0',
            'services': all,
            'description': 'The distance is below zero.'
        },
        {
            'name': 'distance_over_100_miles',
            'condition': 'trip_distance > 100',
            'services': all,
            'description': 'The distance is above 100 miles.'
        },
        {
            'name': 'voided',
            'condition': 'has_mirror',
            'services': taxis,
            'description': 'The file also holds the same trip with the opposite total; both rows go.'
        },
        {
            'name': 'fare_negative',
            'condition': 'fare_amount < 0 and not has_mirror',
            'services': all,
            'description': 'The fare is below zero and the trip was not voided.'
        },
        {
            'name': 'zone_out_of_range',
            'condition': 'pickup_zone_id not between 1 and 265 or dropoff_zone_id not between 1 and 265',
            'services': all,
            'description': 'A zone is outside 1 to 265.'
        },
        {
            'name': 'duplicate_row',
            'condition': 'is_repeat',
            'services': all,
            'description': 'An earlier row of the file is equal in every column.'
        }
    ] -%}
    {{- return(checks_for(rules, services)) -}}
{% endmacro %}
