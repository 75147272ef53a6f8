{#- Returns the nodes that an operation works on. A named node must be suitable. Without a name,
    the macro skips unsuitable nodes. -#}
{% macro penstock__maintained(operation, model_name, needs) %}
    {%- set stored = {} -%}
    {%- for node in graph.nodes.values() if node.resource_type in ['model', 'snapshot', 'seed'] -%}
        {%- if node.package_name == project_name -%}
            {%- do stored.update({node.name: node}) -%}
        {%- endif -%}
    {%- endfor -%}
    {#- In a hook, the default is the model of the hook. -#}
    {%- set named = model_name if model_name is not none else (model.name if this is defined and this else none) -%}
    {%- if named is not none and named not in stored -%}
        {{- penstock__refuse(
            operation ~ '() takes a model of this project', penstock__shown(named),
            'name one of ' ~ stored.keys() | sort | join(', ')
        ) -}}
    {%- endif -%}
    {#- Every table accumulates old files for VACUUM, but seeds are too small to be worth compacting. -#}
    {%- set found = [] -%}
    {%- for name, node in stored.items() if named is none or name == named -%}
        {%- set wrong = penstock__unfit(operation, node, needs) -%}
        {%- if wrong and named is not none -%}
            {{- penstock__refuse(wrong.needed, wrong.found, wrong.advice) -}}
        {%- elif not wrong and (named is not none or operation == 'vacuum' or node.resource_type == 'model') -%}
            {%- do found.append(node) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not found -%}
        {%- do log(operation ~ ': no table of this project has ' ~ needs ~ '; nothing to do', info=true) -%}
    {%- endif -%}
    {{- return(found) -}}
{% endmacro %}
