{% test files_per_partition_at_most(model, n) %}
    {{ penstock__physical_test(model, 'files_per_partition_at_most', {'n': n}) }}
{% endtest %}
