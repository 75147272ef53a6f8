{% macro trip_rules(services=none) %}
    {{- return(checks_for('error', services)) -}}
{% endmacro %}
