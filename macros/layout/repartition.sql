{% macro repartition() %}
    {{- return(partition_hint('repartition', varargs)) -}}
{% endmacro %}
