{% macro quality_services() %}
    {{- return(['green', 'yellow', 'fhvhv']) -}}
{% endmacro %}
