{#- Render a Python model for the code that runs the model (python_submissions). The result is the compiled code and one
    more line. This line describes how the model's rows are written (`write`, see penstock.python_runtime.job) and which
    rows of its inputs the model reads. -#}
{% macro penstock_python_job(compiled_code, target_relation, write, commit=none) %}
{%- do write.update({'target': target_relation | string}) -%}
{{ compiled_code }}
penstock_write = {{ tojson(tojson({'write': write, 'inputs': penstock_python_inputs(commit)})) }}
{% endmacro %}

{#- Return the filters of a Python model's inputs, by the input's rendered name. The filters are needed because in
    Python models dbt renders refs and sources without the window of a microbatch or `--sample`, and without the limit
    of `--empty`. -#}
{% macro penstock_python_inputs(commit=none) %}
  {%- set inputs = {} -%}
  {%- for item in model.refs -%}
    {%- set names = [item.get('package'), item['name']] if item.get('package') else [item['name']] -%}
    {%- do penstock_python_input(inputs, ref(*names, v=item.get('version')), commit) -%}
  {%- endfor -%}
  {%- for item in model.sources -%}
    {%- do penstock_python_input(inputs, source(*item), commit) -%}
  {%- endfor -%}
  {{ return(inputs) }}
{% endmacro %}

{% macro penstock_python_input(inputs, relation, commit=none) %}
  {%- if relation.render is not defined -%}{{ return('') }}{%- endif -%}
  {%- set window, read = relation.event_time_filter, {} -%}
  {%- if window and commit and window.mark is defined -%}
    {%- do read.update({'column': window.field_name, 'windows': commit.windows(window.grain, window.before)}) -%}
  {%- elif window and window.mark is not defined -%}
    {%- do read.update({'column': window.field_name,
                        'start': window.start.isoformat() if window.start else none,
                        'end': window.end.isoformat() if window.end else none}) -%}
  {%- endif -%}
  {%- if relation.limit is not none -%}{%- do read.update({'limit': relation.limit}) -%}{%- endif -%}
  {%- if read -%}{%- do inputs.update({resolve_model_name(relation.render()): read}) -%}{%- endif -%}
{% endmacro %}

{#- Replaces dbt's macro, which renders the limit of `--empty` instead of the source's name. -#}
{% macro build_source_function(model) %}
{%- set names = {} -%}
{%- for item in model.sources -%}
  {%- do names.update({item | join('.'): resolve_model_name(source(*item).render())}) -%}
{%- endfor %}
def source(*args, dbt_load_df_function):
    sources = {{ names | tojson }}
    return dbt_load_df_function(sources['.'.join(args)])

{% endmacro %}

{#- dbt-spark's materializations call this macro. -#}
{% macro py_write_table(compiled_code, target_relation) %}
{{ penstock_python_job(compiled_code, target_relation, {'mode': 'replace', 'exists': true}) }}
{% endmacro %}
