{% test plan_has_no_single_partition_window(model) %}
    {{ penstock__physical_test(model, 'plan_has_no_single_partition_window', {}) }}
{% endtest %}
