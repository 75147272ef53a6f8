{#- A partitioned Delta table can't use liquid clustering, so Z-order is applied within its partitions. -#}
{% macro cluster(model=none, where=none) %}
    {%- if execute -%}
        {%- for node in penstock__maintained('cluster', model, 'clustered_by') -%}
            {%- set layout = adapter.layout_of(node) -%}
            {%- set names = [] -%}
            {%- for column in layout.clustered_by -%}
                {%- do names.append(adapter.quote(column)) -%}
            {%- endfor -%}
            {%- if where and not layout.partition_by -%}
                {{- penstock__refuse(
                    'cluster() takes where for a partitioned table', node.name ~ ', which has no partitions',
                    'leave where out'
                ) -}}
            {%- endif -%}
            {%- set by = 'zorder by (' ~ names | join(', ') ~ ')' if layout.partition_by else none -%}
            {%- do penstock__optimized('cluster', node, where, by) -%}
        {%- endfor -%}
    {%- endif -%}
{% endmacro %}
