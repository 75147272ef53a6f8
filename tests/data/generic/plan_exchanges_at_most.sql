{% test plan_exchanges_at_most(model, n) %}
    {{ physical_test(model, 'plan_exchanges_at_most', {'n': n}) }}
{% endtest %}
