{#- The list of all rules for a trip's row, in the order of the reasons and flags.

  name         snake_case, unique in the list
  condition    SQL for a row of a windowed model; the rule fires if it is true, not if it is null
  severity     error: the row is quarantined; warn: the row is kept and flagged
  services     the services to which the rule applies
  description  one sentence
  warn_above, error_above
               share of a file month's rows, 0 to 1, above which a test warns or fails: a number,
               or numbers by service; no limit if left out

The limits are above the shares in the TLC's months from 2019 to 2025. -#}
{% macro quality_rules() %}
    {%- set taxis = ['green', 'yellow'] -%}
    {%- set all = taxis + ['fhvhv'] -%}
    {%- set rules = [
        {
            'name': 'pickup_outside_month',
            'condition': "trunc(cast(pickup_at as date), 'month') <> file_month",
            'severity': 'error',
            'services': all,
            'description': "The pick-up is not in the month of the row's file.",
            'warn_above': 0.005,
            'error_above': 0.02
        },
        {
            'name': 'dropoff_before_pickup',
            'condition': 'dropoff_at < pickup_at',
            'severity': 'error',
            'services': all,
            'description': 'The drop-off is earlier than the pick-up.',
            'warn_above': 0.01,
            'error_above': 0.05
        },
        {
            'name': 'longer_than_12_hours',
            'condition': 'dropoff_at > pickup_at + interval 12 hours',
            'severity': 'error',
            'services': all,
            'description': 'The trip took more than 12 hours.',
            'warn_above': 0.01,
            'error_above': 0.05
        },
        {
            'name': 'distance_negative',
            'condition': 'trip_distance < 0',
            'severity': 'error',
            'services': all,
            'description': 'The distance is below zero.',
            'warn_above': 0.005,
            'error_above': 0.02
        },
        {
            'name': 'distance_over_100_miles',
            'condition': 'trip_distance > 100',
            'severity': 'error',
            'services': all,
            'description': 'The distance is above 100 miles.',
            'warn_above': 0.005,
            'error_above': 0.02
        },
        {
            'name': 'voided',
            'condition': 'has_mirror',
            'severity': 'error',
            'services': taxis,
            'description': 'The file also contains the same trip with the opposite total; both rows are quarantined.',
            'warn_above': {'green': 0.02, 'yellow': 0.05},
            'error_above': {'green': 0.05, 'yellow': 0.1}
        },
        {
            'name': 'fare_negative',
            'condition': 'fare_amount < 0 and not has_mirror',
            'severity': 'error',
            'services': all,
            'description': 'The fare is below zero and the trip was not voided.',
            'warn_above': {'green': 0.005, 'yellow': 0.02, 'fhvhv': 0.005},
            'error_above': {'green': 0.02, 'yellow': 0.05, 'fhvhv': 0.02}
        },
        {
            'name': 'zone_out_of_range',
            'condition': 'pickup_zone_id not between 1 and 265 or dropoff_zone_id not between 1 and 265',
            'severity': 'error',
            'services': all,
            'description': 'A zone is outside 1 to 265.',
            'warn_above': 0.005,
            'error_above': 0.01
        },
        {
            'name': 'duplicate_row',
            'condition': 'is_repeat',
            'severity': 'error',
            'services': all,
            'description': 'An earlier row of the file is equal in every column.',
            'warn_above': 0.005,
            'error_above': 0.02
        },
        {
            'name': 'unknown_pickup_zone',
            'condition': 'pickup_zone_id in (264, 265)',
            'severity': 'warn',
            'services': all,
            'description': 'The pick-up zone is unknown or outside of the city.',
            'warn_above': 0.05,
            'error_above': 0.2
        },
        {
            'name': 'unknown_dropoff_zone',
            'condition': 'dropoff_zone_id in (264, 265)',
            'severity': 'warn',
            'services': all,
            'description': 'The drop-off zone is unknown or outside of the city.',
            'warn_above': {'green': 0.05, 'yellow': 0.05, 'fhvhv': 0.1},
            'error_above': 0.2
        },
        {
            'name': 'zero_distance',
            'condition': 'trip_distance = 0',
            'severity': 'warn',
            'services': all,
            'description': 'The distance is zero.',
            'warn_above': 0.1,
            'error_above': 0.25
        },
        {
            'name': 'null_passengers',
            'condition': 'passenger_count is null',
            'severity': 'warn',
            'services': taxis,
            'description': 'The number of passengers is not known.',
            'warn_above': {'green': 0.55, 'yellow': 0.35},
            'error_above': {'green': 0.75, 'yellow': 0.6}
        },
        {
            'name': 'null_vendor',
            'condition': 'vendor_id is null',
            'severity': 'warn',
            'services': taxis,
            'description': 'The provider of the record is not known.',
            'warn_above': {'green': 0.02, 'yellow': 0.25},
            'error_above': {'green': 0.1, 'yellow': 0.5}
        }
    ] -%}
    {{- return(valid_rules(rules)) -}}
{% endmacro %}
