{% macro hints() %}
    {%- set joins = ['broadcast', 'merge', 'shuffle_hash', 'shuffle_replicate_nl'] -%}
    {%- set layouts = ['coalesce', 'repartition', 'repartition_by_range', 'rebalance'] -%}
    {%- set allowed = (joins + layouts) | join('(), ') ~ '()' -%}
    {%- set advice = "write hints(broadcast('name'))" -%}
    {%- if not varargs -%}
        {{- penstock__refuse('hints() takes at least one of ' ~ allowed, 'none', advice) -}}
    {%- endif -%}
    {%- set given, hinted = [], {} -%}
    {%- for hint in varargs if hint is not none and hint != '' -%}
        {%- if hint is undefined -%}
            {{- penstock__refuse('hints() takes the results of ' ~ allowed, 'the result of an unknown macro', 'correct its name') -}}
        {%- endif -%}
        {%- set name = hint.split('(')[0] if hint is string else '' -%}
        {%- set whole = hint is string and (hint.endswith(')') or hint == 'rebalance') -%}
        {%- if name not in joins + layouts or not whole or '*/' in hint -%}
            {{- penstock__refuse('hints() takes the results of ' ~ allowed, penstock__shown(hint), advice) -}}
        {%- endif -%}
        {%- set earlier = given | select('in', layouts) | list -%}
        {%- if name in layouts and earlier -%}
            {{- penstock__refuse(
                'hints() takes one of ' ~ layouts | join('(), ') ~ '()', earlier[0] ~ ' and ' ~ name,
                'keep the one that describes the layout of the rows'
            ) -}}
        {%- endif -%}
        {%- do given.append(name) -%}
        {%- for alias in hint[name | length + 1:-1].split(', ') if name in joins -%}
            {%- if alias in hinted -%}
                {{- penstock__refuse(
                    'hints() takes one join hint for ' ~ alias, hinted[alias] ~ ' and ' ~ name,
                    'name ' ~ alias ~ ' in one of them'
                ) -}}
            {%- endif -%}
            {%- do hinted.update({alias: name}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{- return('/*+ ' ~ varargs | select | join(', ') ~ ' */' if given else '') -}}
{% endmacro %}
