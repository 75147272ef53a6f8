{% macro repartition_by_range() %}
    {{- return(partition_hint('repartition_by_range', varargs, required='columns')) -}}
{% endmacro %}
