{#- Spark takes no empty brackets. -#}
{% macro rebalance() %}
    {{- return(partition_hint('rebalance', varargs) if varargs else 'rebalance') -}}
{% endmacro %}
