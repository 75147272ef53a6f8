{#- Delta evaluates the least and greatest value of every column for each row that it writes. -#}
{% macro skipping_stats(columns) %}
    {%- set named = penstock__layout_columns('skipping_stats', columns) | join(',') -%}
    {{- return({'tblproperties': {'delta.dataSkippingStatsColumns': named}}) -}}
{% endmacro %}
