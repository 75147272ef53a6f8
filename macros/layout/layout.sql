{% macro layout() %}
    {%- set keys = [
        'partition_by', 'clustered_by', 'target_file_size_mb', 'sorted_within', 'tblproperties', 'spark_conf'
    ] -%}
    {%- set needed = 'layout() takes the results of monthly_partitions(), clustered(), target_file_size(), '
        ~ 'sorted_within(), skipping_stats() and adaptive()' -%}
    {%- set advice = "write config(**layout(monthly_partitions('month'), target_file_size(128)))" -%}
    {%- if not varargs -%}
        {{- penstock__refuse(needed, 'none', advice) -}}
    {%- endif -%}
    {%- set whole, conf = {}, {} -%}
    {%- for part in varargs -%}
        {%- if part is not mapping or part.keys() | reject('in', keys) | list -%}
            {{- penstock__refuse(needed, penstock__shown(part), advice) -}}
        {%- endif -%}
        {%- for key, value in part.items() -%}
            {%- set into = conf if key == 'spark_conf' else whole -%}
            {%- for name, item in (value if key == 'spark_conf' else {key: value}).items() -%}
                {%- if name in into and into[name] != item -%}
                    {{- penstock__refuse(
                        'layout() takes one value for ' ~ name,
                        penstock__shown(into[name]) ~ ' and ' ~ penstock__shown(item), 'keep one'
                    ) -}}
                {%- endif -%}
                {%- do into.update({name: item}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set partitions = whole.get('partition_by', []) | map('lower') | list -%}
    {%- set both = whole.get('clustered_by', []) | map('lower') | select('in', partitions) | list -%}
    {%- if both -%}
        {{- penstock__refuse(
            'layout() takes clustered() columns that are no partition columns', both | join(', ') ~ ' in both',
            'leave them out of clustered(): within a partition they have one value'
        ) -}}
    {%- endif -%}
    {%- if conf -%}
        {%- do whole.update({'spark_conf': conf}) -%}
    {%- endif -%}
    {{- return(whole) -}}
{% endmacro %}
