{#- What is odd about a row that is kept all the same. -#}
{% macro trip_flags(services=none) %}
    {%- set taxis = ['green', 'yellow'] -%}
    {%- set all = taxis + ['fhvhv'] -%}
    {%- set flags = [
        {
            'name': 'unknown_pickup_zone',
            'condition': 'pickup_zone_id in (264, 265)',
            'services': all,
            'description': 'The pick-up zone is unknown or outside of the city.'
        },
        {
            'name': 'unknown_dropoff_zone',
            'condition': 'dropoff_zone_id in (264, 265)',
            'services': all,
            'description': 'The drop-off zone is unknown or outside of the city.'
        },
        {
            'name': 'zero_distance',
            'condition': 'trip_distance = 0',
            'services': all,
            'description': 'The distance is zero.'
        },
        {
            'name': 'null_passengers',
            'condition': 'passenger_count is null',
            'services': taxis,
            'description': 'The number of passengers is not known.'
        },
        {
            'name': 'null_vendor',
            'condition': 'vendor_id is null',
            'services': taxis,
            'description': 'The provider of the record is not known.'
        }
    ] -%}
    {{- return(checks_for(flags, services)) -}}
{% endmacro %}
