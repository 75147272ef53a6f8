{% test plan_broadcasts(model, side) %}
    {{ penstock__physical_test(model, 'plan_broadcasts', {'side': side}) }}
{% endtest %}
