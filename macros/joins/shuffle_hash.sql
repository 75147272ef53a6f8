{% macro shuffle_hash() %}
    {{- return('shuffle_hash(' ~ hint_names('shuffle_hash', varargs, 'alias of a side') ~ ')') -}}
{% endmacro %}
