{% macro monthly_partitions(column) %}
    {%- if column is not string or not column.isidentifier() -%}
        {{- penstock__refuse(
            'monthly_partitions() takes the name of a date column', penstock__shown(column),
            "write config(**monthly_partitions('pickup_month'))"
        ) -}}
    {%- endif -%}
    {{- return({'partition_by': [column]}) -}}
{% endmacro %}
