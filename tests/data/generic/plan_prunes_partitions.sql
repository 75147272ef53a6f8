{% test plan_prunes_partitions(model, column, value) %}
    {{ physical_test(model, 'plan_prunes_partitions', {'column': column, 'value': value}) }}
{% endtest %}
