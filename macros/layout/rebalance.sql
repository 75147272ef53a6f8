{#- Spark doesn't accept empty parentheses. -#}
{% macro rebalance() %}
    {{- return(penstock__partition_hint('rebalance', varargs) if varargs else 'rebalance') -}}
{% endmacro %}
