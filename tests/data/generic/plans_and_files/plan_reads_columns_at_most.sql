{% test plan_reads_columns_at_most(model, n, table=none) %}
    {{ penstock__physical_test(model, 'plan_reads_columns_at_most', {'n': n, 'table': table}) }}
{% endtest %}
