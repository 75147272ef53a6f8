{% macro repartition_by_range() %}
    {{- return(penstock__partition_hint('repartition_by_range', varargs, required='columns')) -}}
{% endmacro %}
