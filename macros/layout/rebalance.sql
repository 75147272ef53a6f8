{#- Spark takes no empty brackets. -#}
{% macro rebalance() %}
    {{- return(penstock__partition_hint('rebalance', varargs) if varargs else 'rebalance') -}}
{% endmacro %}
