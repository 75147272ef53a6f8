{% macro broadcast() %}
    {{- return(penstock__join_hint('broadcast', varargs)) -}}
{% endmacro %}
