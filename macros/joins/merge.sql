{% macro merge() %}
    {{- return(penstock__join_hint('merge', varargs)) -}}
{% endmacro %}
