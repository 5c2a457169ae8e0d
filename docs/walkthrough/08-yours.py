# %% [markdown]
# # Yours now
#
# The model lies in a folder. Time to talk to it, to tease it, and to show it around.

# %% [markdown]
# ## Sentences of your own
#
# `export_openvino` makes a copy of the model that answers fast and needs no torch. A `Classifier` loads it.

# %%
el.export_openvino("walkthrough-model")
classifier = el.Classifier("walkthrough-model")
mine = ["I can't wait to see you all tomorrow!", "They forgot my birthday again.", "Who left this here?"]
for prediction in classifier.predict(mine):
    print(prediction)

# %% [markdown]
# OWN
#
# **Try this:** the whole sentence of yours that you thought of while you read this. Yes, that one.

# %% [markdown]
# ## Negation and irony
#
# Now let's be mean.

# %%
tricky = ["I am happy.", "I am not happy.", "I don't feel sad at all.", "Great, another delay. Just great."]
answers = pd.DataFrame([p.probabilities for p in classifier.predict(tricky)], index=tricky)
answers.round(2)

# %% [markdown]
# TRICKY
#
# Four sentences are an anecdote. emolens has several hundred that were written to try models, in twenty-one tests:

# %%
tests = el.behavior(classifier.predict_proba, classifier.labels).tests
for test in tests:
    print(f"{test.failed:>3} of {test.n:>3} fail: {test.about}")

# %% [markdown]
# BEHAVIOR
#
# **Try this:** pick the test with the most failures and look at its examples: `tests[5].examples`. Then write three sentences that the model *should* get right. You've just begun a test of your own.

# %% [markdown]
# ## Sharing it
#
# The folder holds everything that others need, in the form that they know.

# %%
from pathlib import Path

for file in sorted(Path("walkthrough-model").rglob("*.*")):
    print(f"{file.stat().st_size / 1e6:>6.1f} MB  {file.name}")

# %%
from transformers import pipeline

ask = pipeline("text-classification", "walkthrough-model", truncation=True)
ask("I can't wait to see you all tomorrow!")

# %% [markdown]
# The same answer, from a program that has never heard of emolens. The names of the classes are in it (not `LABEL_1`), the temperature is in its weights, and no file in it can run code.
#
# To the Hub it goes with one command. With `--dry-run` nothing is sent: you see the list of the files, and can change your mind.
#
# ```
# emolens push walkthrough-model yourname/feelings --dry-run
# ```
#
# The repository is private until you say otherwise. [What is sent, and what isn't](hub.md#share-a-model).
#
# **Try this:** before you make a model public, write down for whom it is *not*. A model that learned from tweets knows tweets. It should not decide about anybody's job, health or loan.

# %% [markdown]
# ## That's a wrap
#
# Look back at what you have done. You
#
# - loaded a dataset, and looked at it before you believed it,
# - cut texts into tokens, and saw one lose its happy end,
# - peeked at the hidden states of an encoder, and flattened them into a map,
# - drew a straight line through it all, and read its mix-ups aloud,
# - let the encoder learn, and watched the feelings come apart,
# - gave rare feelings a voice, and the model the right to be silent,
# - and asked it mean questions.
#
# All of this, in one command and with a report to click through, is `emolens run starter`. Now you know what each of its lines means.
#
# Moments like these are why this work is so satisfying: you take a messy heap of sentences and turn it into something that makes sense. And then somebody writes "I'm fine", and you smile, because you know what the model can't.
#
# **Try this:** your own texts. A hundred of them with labels are enough to begin: `emolens evaluate --model walkthrough-model --dataset mine.csv`.
