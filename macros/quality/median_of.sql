{#- Spark has no median of an array; `get` gives null, not an error, for an empty one. -#}
{% macro median_of(values) -%}
    (get(array_sort({{ values }}), cast((size({{ values }}) - 1) div 2 as int))
    + get(array_sort({{ values }}), cast(size({{ values }}) div 2 as int))) / 2
{%- endmacro %}
