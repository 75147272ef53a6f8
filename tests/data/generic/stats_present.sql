{% test stats_present(model, columns=none) %}
    {{ physical_test(model, 'stats_present', {'columns': columns}) }}
{% endtest %}
