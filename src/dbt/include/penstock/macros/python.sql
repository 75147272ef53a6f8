{#- The compiled Python model, with the name it is written to. The writing itself is the adapter's. -#}
{% macro py_write_table(compiled_code, target_relation) %}
{{ compiled_code }}
penstock_target = "{{ target_relation }}"
{% endmacro %}
