{#- By default Delta collects minimum and maximum of the first 32 columns, which costs time for each row. -#}
{% macro skipping_stats(columns) %}
    {%- set named = penstock__layout_columns('skipping_stats', columns) | join(',') -%}
    {{- return({'tblproperties': {'delta.dataSkippingStatsColumns': named}}) -}}
{% endmacro %}
