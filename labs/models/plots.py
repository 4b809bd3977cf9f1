"""The grammar of the tiny model's stories: words, and some twenty plots.

See stories.py for the notation. A plot has the kinds of its two characters, cases (fields that
belong together: who is stuck where, and what helps), fields of its own and the text.
{f...} is the friend: {fhero}, {fhe}, {fmeet} for the first time they are met. An opening comes
before the text, and the text's first {hero} becomes the opening's {one}.
"""

NAMES = {  # [kind][0: he, 1: she]
    "child": (
        ("Tom", "Ben", "Max", "Leo", "Sam", "Finn", "Jack", "Oscar"),
        ("Mia", "Lily", "Anna", "Zoe", "Nora", "Ruby", "Ella", "Rosa"),
    ),
    "animal": (("Pip", "Bo", "Otto", "Rufus", "Tig"), ("Dot", "Fern", "Hazel", "Poppy", "Momo")),
}
ANIMALS = ("fox", "bear", "rabbit", "mouse", "duck", "cat", "dog", "frog", "squirrel", "owl",
           "goat", "pig")
CHILD = ("child",)
ANIMAL = ("animal",)
ANY = ("child", "animal")

FIELDS = {
    "like": "[little|small|young|kind|brave|happy|quiet|clever]",
    "near": "[near the [forest|river|lake|hill|sea]|at the edge of the [village|forest]"
            "|in a small [house|village]|in a house on the hill]",
    "day": "[One day|One day|One day|One morning|One sunny day|One afternoon|One fine morning"
           "|One cold day|Yesterday|On Sunday]",
    "thanks": "[Thank you|Thank you so much|Thank you very much]",
    "glad": "[was very happy|was so happy|smiled|laughed|was glad|jumped for joy]",
    "color": "[red|blue|green|yellow|white|silver]",
    "family": "[mother|father|grandma|grandpa]",
    "spot": "[forest|garden|river|lake|park|field|market|old bridge]",
    "spot2": "[hill|barn|beach|school|mill|farm|well]",
    "friends": "[From that day on, {hero} and {fhero} were [best|good] friends."
               "|After that, {hero} and {fhero} [played together every day|were always together].]",
}

KNOWN = {"one": "{hero}"}
OPENINGS = (  # who the hero is, and {one}: the first time that the plot speaks of the hero
    3 * (
        dict(intro="Once upon a time, there was a {like} {kind} named {hero}.", **KNOWN),
        dict(intro="Once upon a time, there was a {like} {kind} named {hero}. {He} lived {near}"
             "[| with {his} {family}].", **KNOWN),
        dict(intro="Once upon a time, a {like} {kind} named {hero} lived {near}.", **KNOWN),
    ) + (
        dict(intro="There was once a {like} {kind}. {His} name was {hero}.", **KNOWN),
        dict(intro="There was a {like} {kind} named {hero}.", **KNOWN),
        dict(intro="A {like} {kind} named {hero} lived {near}.", **KNOWN),
        dict(intro="{hero} was a {like} {kind}[| who lived {near}].", **KNOWN),
        dict(intro="{title} lived {near}[| with {his} {family}].", **KNOWN),
        dict(intro="{hero} lived {near} with {his} {family}.", **KNOWN),
        dict(intro="In [a small village|the forest|a little house], there lived a {like} {kind} "
             "named {hero}.", **KNOWN),
        dict(intro="This is the story of a {like} {kind} named {hero}.", **KNOWN),
        dict(intro="", one="{hero}"),
        dict(intro="", one="{title}"),
        dict(intro="", one="a {like} {kind} named {hero}"),
        dict(intro="", one="a {kind} named {hero}"),
    )
)
PLOTS = []


def plot(text, hero=ANY, friend=ANY, cases=({},), fields=None, counts=False):
    PLOTS.append(dict(text=text, hero=hero, friend=friend, cases=cases, fields=fields or {},
                      counts=counts))


# Something is lost and found again.
plot("""{hero} had a {color} {thing} and [took it everywhere|loved it very much|played with it
every day]. {day}, the {thing} was gone. "Where is my {thing}?" [cried|asked] {hero}. {He}
looked [under the bed|behind the door|in every room] and [in the garden|on the roof|under the
table], but it was not there. {hero} [sat down and cried|was very sad]. Then {fmeet} came by.
"[Why are you sad|What is wrong|Why do you cry]?" asked {fhero}. "I [lost|cannot find] my
{thing}," said {hero}. "[Do not worry|Do not cry|Do not be sad]," said {fhero}. "[I will help
you|We will find it together|Let us look for it]." They looked [by|near] the {spot} and
[by|near] the {spot2}. [At last|Then|Soon], {fhero} saw something {color} under [a tree|a
bush|some leaves|an old box]. It was the {thing}! "{thanks}, {fhero}!" said {hero}. [They played
with the {thing} until [it was dark|the sun went down].|{friends}|{hero} [never lost the {thing}
again|took good care of the {thing} after that].]""",
     fields={"thing": "[ball|hat|drum|scarf|bell|boat|kite|book]"})

# Somebody small is in trouble.
plot("""{day}, {hero} was walking [in|through] the [forest|garden|park|field]. Suddenly, {he}
heard a [small|soft|sad] [voice|cry]. It was a [little|tiny|young] {animal}. It was {trouble}.
"[Help|Please help me|Can you help me]!" cried the {animal}. "[Do not be afraid|Wait here|Do not
worry]," said {hero}. "I have an idea." {He} ran home and came back with a {tool}. {He}
{action}. [At last|Soon], the {animal} was safe. "{thanks}, {hero}," it said. "[You are very
brave|You are so kind|I will never forget this]." [From that day on, {hero} and the {animal}
were [best|good] friends.|The next day, {hero} [lost {his} way|could not find the way home]. The
{animal} came and showed {him} the way. "[Now I have helped you too|You helped me, and now I
help you]," it said.|{hero} [went home with a smile|was proud and happy all day].]""",
     cases=(
         dict(animal="[cat|bird|squirrel]", trouble="stuck in a tall tree", tool="ladder",
              action="climbed up and carried it down"),
         dict(animal="[frog|mouse|rabbit]", trouble="stuck in a deep hole", tool="long stick",
              action="put the stick into the hole, and the {animal} climbed out"),
         dict(animal="[goat|pig|horse|sheep]", trouble="stuck in the mud", tool="rope",
              action="pulled and pulled until the mud let it go"),
         dict(animal="[duck|cat|rabbit]", trouble="lost in the tall grass", tool="basket",
              action="put it in the basket and took it back to its mother"),
         dict(animal="[bird|duck|rabbit]", trouble="caught in an old net", tool="knife",
              action="cut the net with great care"),
     ))

# Sharing, and what comes of it.
plot("""{day}, {hero} had a [big|small|full] basket of {food}. {He} [wanted to eat them all|did
not want to share them]. On the way home, {he} met {fmeet}. {fhero} looked [hungry|tired and
hungry|sad]. "I have had nothing to eat today," said {fhero}. {hero} looked at the {food} and
thought [about it|for a moment|hard]. "[Take some|You can have half] of my {food}," said {hero}.
They sat down [under a tree|by the road|on the grass] and ate together. The {food} [tasted very
good|tasted better than ever|were sweet]. [{friends}|"[It is good to share|Food tastes better
with a friend]," said {hero}.|The next day, it [rained|snowed] and {hero} was [cold and wet|far
from home]. {fhero} saw {him} and called, "[Come in|Come inside], {hero}! [My house is
warm|There is a warm fire]." They [drank warm milk|ate hot soup] by the fire. {hero} {glad}.]""",
     fields={"food": "[apples|cakes|cookies|nuts|berries|pears|carrots]"})

# The wind takes something to where it cannot be reached.
plot("""{day}, {hero} [went out to play|was playing] with {his} {color} {thing}. The wind was
strong. It [took|carried] the {thing} away and put it on top of {high}. {hero} jumped, but {he}
was too small. {He} threw a stick, but {high2} was too high. "[What can I do|Who can help me]?"
{he} asked. Then {helper} came [by|along|down the road]. "Please help me," said {hero}. "[My
{thing} is up there|I cannot reach my {thing}]." "[That is easy|I can do that|No problem]," said
the {helper2}. The {helper2} {action} and [got the {thing} back|brought the {thing} down].
"{thanks}!" said {hero}. [The {helper2} smiled and went away.|Then they played with the {thing}
together.|"[Hold it tight|Take care of it] next time," said the {helper2}.]""",
     cases=(
         dict(helper="a big bear", helper2="bear", action="stood on two legs"),
         dict(helper="a tall horse", helper2="horse", action="stretched its long neck"),
         dict(helper="a black bird", helper2="bird", action="flew up to the top"),
         dict(helper="an old farmer", helper2="farmer", action="brought a long ladder"),
         dict(helper="a clever squirrel", helper2="squirrel", action="climbed up very fast"),
     ),
     fields={"thing": "[kite|ball|hat|scarf]", "high2": "it",
             "high": "[a tall tree|the roof|a high wall|the old mill]"})

# Learning takes time.
plot("""{hero} wanted to learn to {skill}. [All {his} friends could {skill}, but {he} could
not.|{He} thought about it every night.|] {day}, {he} tried, but {fail}. {He} tried again, but
it was too hard. "I will never learn to {skill}," said {hero}[ sadly|]. {His} {family}
[smiled|laughed] and said, "[Do not give up|Take your time]. [Nobody learns in one day|Try a
little every day|Try again tomorrow]." So {hero} tried again [and again|every day|the next day
and the day after]. [After a week|At last|After many days], {he} could {skill} [very well|all by
{himself}]! "[Look|See], I can {skill}!" {he} [shouted|called]. {His} {family} was very proud.
[{hero} {glad}.|"[I knew it|You did not give up]," said {his} {family}.|]""",
     cases=(
         dict(skill="swim", fail="{he} got water in {his} nose"),
         dict(skill="sing", fail="it sounded like an old door"),
         dict(skill="dance", fail="{he} fell on {his} nose"),
         dict(skill="bake bread", fail="the bread was as hard as a stone"),
         dict(skill="paint", fail="the paint ran all over the floor"),
         dict(skill="ride a bike", fail="{he} fell into the mud"),
         dict(skill="play the drum", fail="it was only noise"),
         dict(skill="fly a kite", fail="the kite fell to the ground"),
         dict(skill="read", fail="the letters were too small"),
     ))

# A noise in the night.
plot("""One night, {hero} could not sleep. There was a strange [sound|noise] at the {where}.
[Tap, tap, tap|Knock, knock, knock|Bump, bump, bump]! "Is it a [monster|ghost|wolf]?" thought
{hero}. {He} [hid under the blanket|pulled the blanket over {his} head] and waited. The
[sound|noise] did not stop. {hero} was afraid, but {he} [took a lamp|lit a candle] and [walked
slowly to|went to] the {where}. {He} [looked out|opened it a little]. It was only {who}! {hero}
laughed. {then} [After that, {hero} was not afraid of the dark any more.|Then {hero} went back
to bed and slept [until morning|very well].|"[I was afraid of nothing|How silly I was]," said
{hero}.]""",
     cases=(
         dict(who="a little owl", then="The owl looked at {him} with big round eyes."),
         dict(who="a wet cat", then="{He} let the cat in and gave it some milk."),
         dict(who="a branch in the wind", then='"You are just a tree," {he} said.'),
         dict(who="{fhero}, {fmeet2}", then='"I wanted to show you the [moon|stars|snow]," said '
              "{fhero}. They looked at the sky together."),
     ),
     fields={"where": "[window|door]", "fmeet2": "{his} friend"})

# What falls down is built again.
plot("""{day}, {hero} and {his} friend {fhero} went to the {where}. They built {work}. It was
[very big|beautiful|very fine], and they worked [all morning|for a long time|until noon]. But
then {disaster}. "Oh no!" cried {hero}. "[Our work is gone|All our work is lost]!" {fhero} [took
{his} hand|thought for a moment] and said, "[Let us build it again|We can try again]. This time
we [will|can] {better}." So they began again. They [worked together|helped each other|sang while
they worked], and [in the evening|at last] it was done. {again} "[We did it|It is better than
before]!" said {fhero}. {hero} {glad}.""",
     cases=(
         dict(where="beach", work="a castle of sand", better="build it far from the water",
              disaster="a big wave came and washed it away",
              again="The next wave came, but the castle stood."),
         dict(where="forest", work="a little house of sticks", better="use stones",
              disaster="a strong wind came and blew it down",
              again="The wind came back, but the house stood."),
         dict(where="lake", work="a little boat of paper", better="use wood",
              disaster="the rain came and the boat went down",
              again="The rain came back, but the boat stayed on the water."),
         dict(where="field", work="a tower of snow", better="build it in the shadow of the barn",
              disaster="the sun came out and the tower fell",
              again="The sun came out again, but the tower stood."),
     ))

# An old map, and an old key.
plot("""{day}, {hero} found an old map [under the bed|in a book|in a box|behind the barn]. {He}
showed it to {fmeet}. "[Look|See], {fhero}, this map shows a treasure!" said {hero}. "[Let us
find it|Let us go]!" said {fhero}. They walked [past|along] the {spot} and past the {spot2} to
[a big tree|a black rock|an old wall]. There they dug a [deep |]hole. [Soon|After an hour|At
last], they found a [wooden|small|heavy] box. {fhero} opened it. Inside, there [was a letter. It
said, "[A good friend is the best treasure|The best treasure is a friend]."|were [gold
coins|shiny stones|old toys]. "[We will share them|Half for you and half for me]," said
{hero}.|was a cake with a note. It said, "[Well done|You found me]!" They ate it together.]
[{friends}|They were [tired|dirty] but very happy. |]""")
plot("""{day}, {hero} found a [small|rusty|golden|strange] key [in the grass|by the river| under
a stone|near the well]. "What does it open?" {he} asked. {He} tried it on the [door of the
barn|box in the kitchen], but it did not fit. {He} asked {his} {family}, but {his} {family} did
not know. Then {hero} saw a little door in [the old wall|a big tree]. The key went in. Click!
Behind the door was {secret}. "[How beautiful|Oh my]!" said {hero}. [{He} ran to get {fmeet},
and they played there until [it was dark|the evening].|{He} went there every day, and it was
{his} [secret|favorite] place.|{He} told nobody but {fmeet}. {friends}]""",
     fields={"secret": "a [garden full of [flowers|roses|birds]|room full of [books|toys|light]]"})

# A present.
plot("""{day}, {hero} wanted to give {his} friend {fhero} a birthday present, but {he} had no
money. "What can I do?" {he} thought. {He} sat down and made a {gift} out of {stuff}. It took
[all morning|a long time]. "[I hope {fhe} likes it|It is not very good]," {he} thought. At the
party, {fhero} got [many|big] presents, but when {fhe} saw the {gift}, {fhe} {fglad}. "Did you
make this [for me|all by yourself]?" asked {fhero}. "Yes," said {hero}. "{thanks}! It is [the
best present of all|so beautiful]," said {fhero}. {hero} {glad}.""",
     cases=(
         dict(gift="[boat|horse|flute]", stuff="wood"),
         dict(gift="[kite|star|crown]", stuff="paper"),
         dict(gift="[crown|ring]", stuff="flowers"),
         dict(gift="[hat|scarf]", stuff="[red|blue|soft] wool"),
     ),
     fields={"fglad": "[smiled|laughed|jumped for joy]"})

# Telling the truth.
plot("""{day}, {hero} was playing with a ball in the [kitchen|house]. Crash! The ball hit the
{thing}, and it broke. {hero} was afraid. {He} [hid the pieces [under the bed|behind the
door]|ran to {his} room]. In the evening, {his} {family} asked, "Who broke the {thing}?" "[It
was the cat|It was the wind|I do not know]," said {hero}. But {he} felt bad. {He} could not
[eat|sleep|play]. [At last|The next morning], {he} said, "[It was me|I broke it]. I am sorry."
{His} {family} [hugged {him}|was not angry] and said, "[Thank you for telling the truth|It was
brave to tell the truth]. [We can fix it together|A {thing} is only a {thing}]." {hero} felt
[much better|light and happy again]. [After that, {he} [always told the truth|only played with
the ball outside].|]""", hero=CHILD,
     fields={"thing": "[vase|lamp|cup|plate|clock]"})

# Two races.
plot("""{hero} was very fast. {day}, {he} said to {fmeet}, "[You are so slow|I am much faster
than you]. Let us run to the {spot}!" {fhero} was slow, but {fhe} said yes. They began to run.
Soon {hero} was far ahead. "I have time to sleep," {he} thought, and lay down [under a tree|in
the grass]. {fhero} [walked on and on|did not stop]. When {hero} woke up, {he} ran as fast as
{he} could, but {fhero} was [already there|there first]. "[Slow and steady wins the race|I am
slow, but I never stop]," said {fhero}. {hero} [never laughed at {fhero} again|learned something
that day].""",
     hero=ANIMAL, friend=ANIMAL)
plot("""{day}, there was a big race to the {spot}. {hero} ran very fast, and so did {fmeet}.
They were side by side. Then {fhero} fell over a [stone|root] and hurt {fhis} [leg|foot]. {hero}
saw it. {He} wanted to win, but {he} [stopped|turned around and came back]. "Can you [walk|stand
up]?" asked {hero}. "[It hurts|I do not think so]," said {fhero}. So {hero} [helped {fhim}
up|took {fhis} arm], and they walked to the end together. They were last, but [everybody
clapped|everyone cheered]. "[A friend is better than a prize|You are the real winner]," said
{fhero}. {friends}""")

# A seed.
plot("""{day}, {hero} planted a seed in the garden. {He} gave it water every [day|morning]. But
nothing came up. "Why does it not grow?" asked {hero}. "[Good things need time|You must wait],"
said {his} {family}. {hero} waited. The rain fell and the sun shone. [After a week|One morning],
{he} saw a [tiny|small] green leaf. "[Look|Come and see]!" {he} [called|shouted]. The plant grew
and grew. [In summer|In autumn|At last], there was a [very big|beautiful|huge] {plant}. {end}""",
     cases=(
         dict(plant="[pumpkin|carrot|cabbage]", end="{hero} and {his} {family} made soup, and "
              "[all the neighbors|all {his} friends] came to eat. There was enough for everyone."),
         dict(plant="[sunflower|rose|flower]", end="[Bees and birds|All the neighbors] came to see "
              'it. "[It was good to wait|Now I know how to wait]," said {hero}.'),
         dict(plant="[melon|pumpkin]", end="{hero} shared it with {fmeet}. They kept the seeds for "
              "the next year."),
     ))

# Counting.
plot("""{day}, {hero} had {a} {food}. Then {he} met {fmeet}. "[I have too many {food}|These are
for you]," said {fhero}, and gave {him} {b} {food}. "How many do you have now?" asked {fhero}.
{hero} [counted|thought hard]. "{a} + {b} = {c}," {he} said. "I have {c} {food}!" "[That is
right|Very good|You are clever]," said {fhero}. [They ate some and kept the rest for [the
winter| dinner|later].|{hero} took the {food} home to {his} {family}, and they made a
[pie|cake].|{friends}]""", fields={"food": "[apples|nuts|pears|berries|eggs|carrots]"}, counts=True)

# Being ill.
plot("""{day}, {hero} waited for {his} friend {fhero}, but {fhe} did not come out to play.
"Where is {fhero}?" asked {hero}. {He} went to {fhis} house and knocked on the door. {fhero} was
in bed. "I am sick," {fhe} said. "[My head hurts|I feel cold]." {hero} [wanted to help|was
worried]. {He} made [hot soup|warm tea|hot milk with honey] and brought a [book|soft
blanket|funny picture]. {He} [told a story|sang a song], and {fhero} [laughed|smiled|fell
asleep]. The next [day|morning], {fhero} felt better. "{thanks}, {hero}," {fhe} said. "[You are
a real friend|Your soft voice helped me most]." Soon they could play [outside|in the park] again.""")

# The new one.
plot("""{day}, a new {fkind} came to the [school|village]. {fHis} name was {fhero}. {fhero} was
shy and [sat alone|stood by the wall]. Nobody [talked to {fhim}|played with {fhim}]. {hero} saw
this and went to {fhim}. "Hello, I am {hero}," {he} said. "Do you want to play with me?" {fhero}
looked up. "Yes, please," {fhe} said [softly|quietly]. They {play} all day. {fhero} was very
good at it. Soon [all the others|many others] wanted to play too. "[I am not shy any more|Now I
have many friends]," said {fhero}. {hero} {glad}.""",
     fields={"play": "[played with a ball|built a tower|drew pictures|played games]"})

# The moon in the water.
plot("""One night, {hero} saw the moon in the {water}. "The moon fell down!" {he} cried. "I must
[save it|get it out]." {He} [took a bucket|ran to get a net]. {He} tried to catch the moon, but
the water [moved|splashed] and the moon broke into [many|a hundred] pieces. {hero} was sad. Then
{fmeet} came and [laughed|smiled]. "[Look up|Look at the sky], {hero}," said {fhero}. There was
the moon, [round and bright|big and white] in the sky. "[The water only shows a picture of it|It
never fell down]," said {fhero}. {hero} [laughed too|was glad]. They sat [by the {water}|on the
grass] and looked at the [moon|stars] [for a long time|until they fell asleep].""",
     fields={"water": "[lake|river|pond|well]"})

# Too much of a good thing.
plot("""{hero} loved {food}. {day}, {his} {family} made a big plate of {food}. "They are for
[the party|everyone|tomorrow]," said {his} {family}. "[Take only one|Do not eat them all]." But
when nobody was looking, {hero} ate one, then two, then all of them. Soon {his} belly hurt.
"[Oh|Ouch]," {he} said, and lay down. {His} {family} saw the empty plate. "Who ate the {food}?"
"I did," said {hero}. "I am sorry." {His} {family} [brought some tea|sat down next to {him}].
The next day, {hero} [made new {food}|helped to make more {food}], and gave [the first one to
{his} {family}|them to all {his} friends]. {He} [ate only one|did not take any].""",
     fields={"food": "[cookies|cakes|pies]"})

# The way home.
plot("""{day}, {hero} went [far into|deep into] the forest to look for [berries|flowers| nuts].
[The sun went down|It grew dark], and {he} could not find the way home. "I am lost," said
{hero}. {cry} Then {he} met {fmeet}. "{help}," said {fhero}. {hero} [listened|did what {fhero}
said]. {He} walked and walked until {he} saw a [small|warm] light. It was {his} house! {His}
{family} [ran out|was at the door] and hugged {him}. "[I was so worried|There you are]," said
{his} {family}. {hero} [never went so far alone again|told the whole story at dinner].""",
     friend=ANIMAL,
     cases=(
         dict(help="[Follow the river|Walk along the river]. [It goes to the village|It knows the "
              "way home]"),
         dict(help="[Look at the bright star|Do you see that star? It is very bright]. "
              "[Walk to it|It shows the way]"),
         dict(help="[Follow me|Come with me]. [I know the way|I can see in the dark]"),
     ),
     fields={"cry": "[{He} wanted to cry.|{He} was afraid.|The wind was cold.]"})
