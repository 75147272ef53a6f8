{% test files_per_partition_at_most(model, n) %}
    {{ physical_test(model, 'files_per_partition_at_most', {'n': n}) }}
{% endtest %}
