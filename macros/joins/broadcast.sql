{% macro broadcast() %}
    {{- return('broadcast(' ~ hint_arguments('broadcast', varargs) ~ ')') -}}
{% endmacro %}
