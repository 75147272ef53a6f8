{% macro trip_flags(services=none) %}
    {{- return(checks_for('warn', services)) -}}
{% endmacro %}
