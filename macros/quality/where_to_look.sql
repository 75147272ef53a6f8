{% macro where_to_look(service, month, rule) %}
    {%- set column = 'reasons' if rule in trip_rules() | map(attribute='name') else 'flags' -%}
    {%- set table = 'int_fhvhv_trips_checked' if service == 'fhvhv' else 'int_trips_checked' -%}
    {%- set kind = '' if service == 'fhvhv' else " and service_type = '" ~ service ~ "'" -%}
    {{- return(
        'look at the rows (' ~ table ~ " where file_month = date'" ~ month ~ "'" ~ kind
        ~ ' and array_contains(' ~ column ~ ", '" ~ rule ~ "'))"
    ) -}}
{% endmacro %}
