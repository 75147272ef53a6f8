{% macro shuffle_replicate_nl() %}
    {{- return('shuffle_replicate_nl(' ~ hint_names('shuffle_replicate_nl', varargs, 'alias of a side') ~ ')') -}}
{% endmacro %}
