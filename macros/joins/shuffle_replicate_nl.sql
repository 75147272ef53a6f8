{% macro shuffle_replicate_nl() %}
    {{- return(penstock__join_hint('shuffle_replicate_nl', varargs)) -}}
{% endmacro %}
