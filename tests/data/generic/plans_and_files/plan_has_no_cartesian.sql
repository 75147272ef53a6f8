{% test plan_has_no_cartesian(model) %}
    {{ penstock__physical_test(model, 'plan_has_no_cartesian', {}) }}
{% endtest %}
