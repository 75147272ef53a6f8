{% macro penstock__join_hint(hint, sides) %}
    {{- return(hint ~ '(' ~ penstock__hint_names(hint, sides, 'alias of a side') ~ ')') -}}
{% endmacro %}
