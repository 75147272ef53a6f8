{% test plan_exchanges_at_most(model, n) %}
    {{ penstock__physical_test(model, 'plan_exchanges_at_most', {'n': n}) }}
{% endtest %}
