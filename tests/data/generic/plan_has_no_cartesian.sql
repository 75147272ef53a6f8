{% test plan_has_no_cartesian(model) %}
    {{ physical_test(model, 'plan_has_no_cartesian', {}) }}
{% endtest %}
