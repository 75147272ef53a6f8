{% test file_sizes_between(model, min, max) %}
    {{ penstock__physical_test(model, 'file_sizes_between', {'min': min, 'max': max}) }}
{% endtest %}
