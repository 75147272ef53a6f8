{#- Spark has no function for the median of an array. For an empty array `get` returns null, not an error. -#}
{% macro median_of(values) -%}
    (get(array_sort({{ values }}), cast((size({{ values }}) - 1) div 2 as int))
    + get(array_sort({{ values }}), cast(size({{ values }}) div 2 as int))) / 2
{%- endmacro %}
