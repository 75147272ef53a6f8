{% macro shuffle_hash() %}
    {{- return('shuffle_hash(' ~ hint_arguments('shuffle_hash', varargs) ~ ')') -}}
{% endmacro %}
