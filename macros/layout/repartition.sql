{% macro repartition() %}
    {{- return(penstock__partition_hint('repartition', varargs)) -}}
{% endmacro %}
