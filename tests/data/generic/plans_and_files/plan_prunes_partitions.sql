{% test plan_prunes_partitions(model, column, value) %}
    {%- set arguments = {'column': column, 'value': value} -%}
    {{ penstock__physical_test(model, 'plan_prunes_partitions', arguments) }}
{% endtest %}
