{#- Spark doesn't accept empty parentheses. -#}
{% macro rebalance() %}
    {{- return(partition_hint('rebalance', varargs) if varargs else 'rebalance') -}}
{% endmacro %}
