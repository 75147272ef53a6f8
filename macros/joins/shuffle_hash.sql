{% macro shuffle_hash() %}
    {{- return(penstock__join_hint('shuffle_hash', varargs)) -}}
{% endmacro %}
