{% test stats_present(model, columns=none) %}
    {{ penstock__physical_test(model, 'stats_present', {'columns': columns}) }}
{% endtest %}
