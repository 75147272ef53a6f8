{% macro rebalance() %}
    {{- return('rebalance(' ~ hint_arguments('rebalance', varargs) ~ ')') -}}
{% endmacro %}
