{% test plan_broadcasts(model, side) %}
    {{ physical_test(model, 'plan_broadcasts', {'side': side}) }}
{% endtest %}
