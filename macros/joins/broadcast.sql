{% macro broadcast() %}
    {{- return('broadcast(' ~ hint_names('broadcast', varargs, 'alias of a side') ~ ')') -}}
{% endmacro %}
