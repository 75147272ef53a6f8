{% macro merge() %}
    {{- return('merge(' ~ hint_names('merge', varargs, 'alias of a side') ~ ')') -}}
{% endmacro %}
